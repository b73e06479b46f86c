import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { countTests } from "../../run.ts";

describe("countTests()", () => {
  it("counts tests, but not suites unless they are empty", () => {
    const junit =
      `<testsuites><testsuite><testcase name="a"><failure message="1 test step failed">x</failure></testcase>
      </testsuite><testsuite><testcase name="a &gt; b"></testcase><testcase name="a &gt; c"><failure>x</failure></testcase>
      <testcase name="d"><skipped/></testcase><testcase name="e"/></testsuite></testsuites>`;
    assertEquals(countTests(junit), { passed: 2, failed: 1, skipped: 1 });
  });
});
