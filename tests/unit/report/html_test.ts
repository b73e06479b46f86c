import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { type Child, escapeHtml, html, trustedHtml } from "../../../lib/report/html.ts";

describe("escapeHtml()", () => {
  const cases: [name: string, text: string, expected: string][] = [
    ["plain text", "Wooden Chair, 3 legs", "Wooden Chair, 3 legs"],
    ["markup", "<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"],
    ["an entity", "&lt;", "&amp;lt;"],
    ["both kinds of quotes", `" onload='x'`, "&quot; onload=&#39;x&#39;"],
    ["Cyrillic, roubles and emoji", "Север ₽ 🛒", "Север ₽ 🛒"],
    ["line breaks", "a\nb", "a\nb"],
    ["other control characters", "a\0b\tc\u001bd\u007f\u0085", "a␀b␉c␛d␡[U+0085]"],
    ["characters that reorder text", "a\u202eb\u2066c\u200f", "a[U+202E]b[U+2066]c[U+200F]"],
  ];
  for (const [name, text, expected] of cases) {
    it(`converts ${name}`, () => assertEquals(escapeHtml(text), expected));
  }
});

describe("html()", () => {
  const cases: [name: string, child: Child, expected: string][] = [
    ["escapes text", "<b>", "<i>&lt;b&gt;</i>"],
    ["inserts numbers", 12, "<i>12</i>"],
    ["inserts integers of any size", 9007199254740993n, "<i>9007199254740993</i>"],
    ["inserts zero", 0, "<i>0</i>"],
    ["inserts the markup of a template", html`<b>${"&"}</b>`, "<i><b>&amp;</b></i>"],
    ["inserts trusted markup", trustedHtml("<br>"), "<i><br></i>"],
    ["concatenates arrays, and escapes their text", ["<", html`<br>`, ["&"]], "<i>&lt;<br>&amp;</i>"],
    ["omits undefined", undefined, "<i></i>"],
    ["omits false", false, "<i></i>"],
  ];
  for (const [name, child, expected] of cases) {
    it(name, () => assertEquals(html`<i>${child}</i>`.toString(), expected));
  }
});
