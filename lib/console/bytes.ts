/** Sizes for people. */

/** Formats a number of bytes as `0 kB`, `512 kB`, `14 MB` or `1.1 GB`. */
export function formatBytes(bytes: number): string {
  if (bytes <= 999e3) return `${Math.ceil(bytes / 1e3)} kB`;
  return bytes < 999.5e6 ? `${Math.round(bytes / 1e6)} MB` : `${(bytes / 1e9).toFixed(1)} GB`;
}
