#!/bin/sh
# make.sh writes the first document of seeds/ in every format that ingest reads:
#   seed.txt  a copy              seed.gb.txt  the same in GB18030
#   seed.md   headings as Markdown
#   seed.html pandoc, a whole page with a navigation bar around it
#   seed.docx pandoc              seed.lo.docx LibreOffice, from the same HTML
#   seed.pdf  LibreOffice, from seed.docx
#   seed.zip  seed.docx under a name of its own
# Debian: apt-get install pandoc libreoffice-writer fonts-noto-cjk zip
set -eu
cd "$(dirname "$0")"
cp -f ../../../seeds/西安市科学技术局2024年度科技创新工作要点.txt seed.txt
chmod 644 seed.txt
iconv -f UTF-8 -t GB18030 seed.txt >seed.gb.txt
sed -E -e '1s/^/# /' -e '2,$s/^([一二三四五六七八]、)/## \1/' seed.txt >seed.md
title=$(head -n 1 seed.txt)
pandoc -f markdown-smart -t html --wrap=none seed.md >body.tmp
{
	printf '<!DOCTYPE html>\n<html lang="zh"><head><meta charset="utf-8"><title>%s - 西安市科学技术局</title>\n' "$title"
	printf '<meta name="ArticleTitle" content="%s"><meta name="PubDate" content="2024-03-12">\n' "$title"
	printf '<style>body{margin:0}</style><script>var pageId=1;</script></head><body>\n'
	printf '<ul class="nav"><li><a href="/">首页</a></li><li><a href="/zwgk">政务公开</a></li><li><a href="/bsfw">办事服务</a></li></ul>\n'
	printf '<div class="article">\n'
	cat body.tmp
	printf '</div>\n<div class="footer"><p>主办：西安市科学技术局 <a href="/about">关于我们</a> <a href="/map">网站地图</a></p></div>\n</body></html>\n'
} >seed.html
pandoc -f markdown-smart -t docx -o seed.docx seed.md
soffice --headless --convert-to pdf --outdir . seed.docx >/dev/null 2>&1
{ printf '<!DOCTYPE html>\n<html lang="zh"><head><meta charset="utf-8"></head><body>\n'; cat body.tmp; printf '</body></html>\n'; } >lo.html
soffice --headless --infilter='HTML (StarWriter)' --convert-to docx:"MS Word 2007 XML" --outdir . lo.html >/dev/null 2>&1
mv lo.docx seed.lo.docx
rm -f lo.html body.tmp seed.zip
cp seed.docx 工作要点.docx
zip -q -X seed.zip 工作要点.docx
rm -f 工作要点.docx
