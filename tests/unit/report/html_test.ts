import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { type Child, escape, html, trusted } from "../../../lib/report/html.ts";

describe("escape()", () => {
  const cases: [name: string, text: string, expected: string][] = [
    ["plain text", "Wooden Chair, 3 legs", "Wooden Chair, 3 legs"],
    ["markup", "<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"],
    ["an entity", "&lt;", "&amp;lt;"],
    ["both kinds of quotes", `" onload='x'`, "&quot; onload=&#39;x&#39;"],
    ["Cyrillic, roubles and emoji", "Север ₽ 🛒", "Север ₽ 🛒"],
    ["line ends", "a\nb", "a\nb"],
    ["other control characters", "a\0b\tc\u001bd\u007f\u0085", "a␀b␉c␛d␡[U+0085]"],
    ["characters that reorder text", "a\u202eb\u2066c\u200f", "a[U+202E]b[U+2066]c[U+200F]"],
  ];
  for (const [name, text, expected] of cases) {
    it(`escapes ${name}`, () => assertEquals(escape(text), expected));
  }
});

describe("html()", () => {
  const cases: [name: string, child: Child, expected: string][] = [
    ["escapes text", "<b>", "<i>&lt;b&gt;</i>"],
    ["writes numbers", 12, "<i>12</i>"],
    ["writes whole numbers of any size", 9007199254740993n, "<i>9007199254740993</i>"],
    ["writes zero", 0, "<i>0</i>"],
    ["keeps the markup of a template", html`<b>${"&"}</b>`, "<i><b>&amp;</b></i>"],
    ["keeps trusted markup", trusted("<br>"), "<i><br></i>"],
    ["joins lists, escaping their texts", ["<", html`<br>`, ["&"]], "<i>&lt;<br>&amp;</i>"],
    ["leaves out what is absent", undefined, "<i></i>"],
    ["leaves out what does not apply", false, "<i></i>"],
  ];
  for (const [name, child, expected] of cases) {
    it(name, () => assertEquals(html`<i>${child}</i>`.toString(), expected));
  }
});
