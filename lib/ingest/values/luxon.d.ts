// The part of npm:luxon that this folder uses; the package has no types of its own.

/** A date and time in a zone. */
export class DateTime {
  static fromFormat(text: string, format: string, options?: { zone?: string; locale?: string }): DateTime;
  readonly isValid: boolean;
  toMillis(): number;
  toISODate(): string | null;
}

/** A zone of the IANA database. */
export class IANAZone {
  static isValidZone(zone: string): boolean;
  static create(zone: string): IANAZone;
  /** Minutes east of UTC at a moment, in milliseconds since 1970. */
  offset(moment: number): number;
}
