/** Something that is wrong, or may be. */
export interface Finding {
  /** A short name that stays the same, for programs and for the page of the docs. */
  readonly id: string
  /** `problem`: users are logged out, or at risk. `warning`: they may be. */
  readonly level: 'problem' | 'warning'
  /** What was seen, and what to do. */
  readonly message: string
}

/** What was looked at, and what was found. */
export interface Report {
  readonly findings: Finding[]
  /** What was looked at, in words. */
  readonly looked: string[]
}

export function problem(id: string, message: string): Finding {
  return { id, level: 'problem', message }
}

export function warning(id: string, message: string): Finding {
  return { id, level: 'warning', message }
}
