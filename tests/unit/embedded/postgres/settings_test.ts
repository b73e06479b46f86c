import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { settingArguments } from "../../../../lib/embedded/postgres/settings.ts";

describe("settingArguments()", () => {
  it("returns every setting and the port as -c name=value", () => {
    const args = settingArguments(54321);
    const flags = args.filter((_, index) => index % 2 === 0);
    const settings = args.filter((_, index) => index % 2 === 1);
    assertEquals(new Set(flags), new Set(["-c"]));
    assert(settings.every((setting) => /^[a-z_]+=/.test(setting)), settings.join(" "));
    for (
      const setting of ["port=54321", "listen_addresses=127.0.0.1", "unix_socket_directories=", "fsync=on"]
    ) {
      assert(settings.includes(setting), setting);
    }
  });
});
