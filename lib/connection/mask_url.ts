/** Addresses in messages, without what may be a secret. */

/**
 * A text that a person gave, fit to be shown: whole when it is no address or a plain one, else with only its scheme.
 * A password that was not percent-encoded may reach into any part of an address, so nothing behind the scheme is safe
 * once there is an `@`, a port that may be a password, a parameter or an escape. The twin of `mask_url` in
 * k8s/spark/mask.py.
 */
export function maskUrl(text: string): string {
  const [, scheme = "", rest = ""] = /^([a-z][a-z0-9+.-]*:\/\/)?([^]*)$/i.exec(text)!;
  return rest.includes("@") || (scheme && /[:?#%\\]/.test(rest)) ? `${scheme}…` : text;
}
