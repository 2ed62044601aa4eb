#!/bin/sh
# Makes NotoSansSC-subset.otf: the characters of GB 2312 with Latin
# letters, digits and punctuation. Needs fonttools and Debian's
# fonts-noto-cjk; usage: subset.sh [path of NotoSansCJK-Regular.ttc]
set -e
ttc=${1:-/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc}
cd "$(dirname "$0")"
python3 - >chars.txt <<'PY'
rows = [1, 3] + list(range(16, 88))  # punctuation, full-width forms, levels 1 and 2
out = set(chr(c) for c in range(32, 127)) | set("·•—–…“”‘’％‰≥≤≠±×÷→〇○●■□△▲▼℃²³µ")
for row in rows:
    for cell in range(1, 95):
        try:
            out.add(bytes([0xA0 + row, 0xA0 + cell]).decode("gb2312"))
        except UnicodeDecodeError:
            pass
out |= set("浐灞鄠邑阎碑榷甄瞩瑕衔赓缴瓒祯琛榜榆栎汭沣渼滈潏澽浐灞陇")  # names of places around Xi'an
print("".join(sorted(out)), end="")
PY
# Font number 2 of the collection is Noto Sans CJK SC.
pyftsubset "$ttc" --font-number=2 --text-file=chars.txt --output-file=NotoSansSC-subset.otf \
	--layout-features='' --no-hinting --desubroutinize --name-IDs='0,1,2,3,4,5,6,13,14' --notdef-outline
rm chars.txt
