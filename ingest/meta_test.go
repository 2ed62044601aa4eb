package ingest

import (
	"fmt"
	"testing"
	"time"

	"zhengda/ingest/format"
	"zhengda/rag"
)

// What texts say of themselves.
func TestDescribe(t *testing.T) {
	cases := []struct{ name, title, text, want string }{
		{"a notice", "国务院办公厅关于推进政务公开的通知", "国务院办公厅关于推进政务公开的通知\n国办发〔2018〕123号\n各部门：\n为了公开，通知如下。\n国务院办公厅\n2018年12月7日\n",
			"国办发〔2018〕123号|国务院办公厅|0|2018-12-07||"},
		{"a law and its history", "中华人民共和国促进科技成果转化法", "中华人民共和国促进科技成果转化法\n1996年5月15日 第八届全国人民代表大会常务委员会第十九次会议通过\n2015年8月29日 第十二届全国人民代表大会常务委员会第十六次会议修正\n第一条 为了转化，根据2020年1月1日的决定通过。\n第五十二条 本法自1996年10月1日起施行。",
			"|全国人民代表大会常务委员会|0|2015-08-29|1996-10-01|"},
		{"a city's rule that the province approved", "郑州市科学技术投入条例", "1997年6月25日 郑州市第十届人民代表大会常务委员会第三十一次会议通过\n1997年9月28日 河南省第八届人民代表大会常务委员会第二十八次会议批准\n第一条 …",
			"|郑州市人民代表大会常务委员会|0|1997-06-25||"},
		{"a decree that replaces another", "专利优先审查管理办法", "专利优先审查管理办法\n（2017年6月27日国家知识产权局令第76号公布）\n第一条 …\n第十五条 本办法自2017年8月1日起施行。2012年8月1日起施行的《发明专利申请优先审查管理办法》同时废止。",
			"|国家知识产权局|0|2017-06-27|2017-08-01||发明专利申请优先审查管理办法"},
		{"a term of years from the day of issue", "测试市管理办法", "测科规〔2020〕4号\n测试市科技局\n2020年6月3日\n第一条 …\n第九条 本办法自印发之日起施行，有效期5年。",
			"测科规〔2020〕4号|测试市科技局|0|2020-06-03|2020-06-03|2025-06-03"},
		{"an end that is named", "测试市管理办法", "第九条 本办法自2020年7月1日起施行，有效期至2025年6月30日。", "||0||2020-07-01|2025-07-01"},
		{"a year's plan", "西安市科学技术局2024年度科技创新工作要点", "要点", "|西安市科学技术局|2024|||"},
		{"a reference is no 文号 of its own", "测试市规程", "第一条 根据《通知》（深南府[2009]35号）的规定。", "||0|||"},
		{"Chinese digits", "测试市办法", "测试市人民政府\n二〇二四年三月十二日\n", "|测试市人民政府|0|2024-03-12||"},
	}
	day := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return t.Format(time.DateOnly)
	}
	for _, c := range cases {
		m := describeDocument(&rag.Document{Title: c.title}, format.Text{Body: c.text}, "a.txt")
		got := fmt.Sprintf("%s|%s|%d|%s|%s|%s", m.Number, m.Issuer, m.Year, day(m.Issued), day(m.Effective), day(m.Repealed))
		if m.Supersedes != "" {
			got += "|" + m.Supersedes
		}
		if got != c.want {
			t.Errorf("%s:\n%s, want\n%s", c.name, got, c.want)
		}
	}
}
