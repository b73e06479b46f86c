/** Masks URLs in messages, which may contain secrets. */

/**
 * Reduces a URL that may contain credentials to its scheme; returns other text unchanged.
 *
 * A password that is not percent-encoded may extend into any part of a URL. So nothing after the scheme is shown if it has an
 * `@`, a port (which may be part of a password), a query, a fragment or an escape. The same rules are in `mask_url` of
 * k8s/spark/mask.py.
 */
export function maskUrl(text: string): string {
  const [, scheme = "", rest = ""] = /^([a-z][a-z0-9+.-]*:\/\/)?([^]*)$/i.exec(text)!;
  return rest.includes("@") || (scheme && /[:?#%\\]/.test(rest)) ? `${scheme}…` : text;
}
