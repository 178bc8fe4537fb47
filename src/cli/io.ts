import { causeText } from '../lib/text/cause-text.js'

/** How far something has come. */
export interface ProgressBar {
  /** @param done how many of the total, so far. */
  advance(done: number, message: string): void
  stop(message: string): void
}

/** What a command may do outside of itself. The real one is the terminal's; tests bring their own. */
export interface Io {
  readonly env: Readonly<Record<string, string | undefined>>
  /** Where the app is: its drivers are looked for from here. */
  readonly cwd: string
  /** Whether somebody sits there, who can be asked. */
  readonly isInteractive: boolean
  /** One line to the standard output. */
  out(line: string): void
  /** One line to the standard error. */
  err(line: string): void
  /** The next line of the standard input; `undefined` at its end. */
  readLine(): Promise<string | undefined>
  confirm(question: string): Promise<boolean>
  progress(total: number): ProgressBar
  /** Runs a program in a folder, such as npm. Resolves to its exit code. */
  run(program: string, words: readonly string[], cwd: string): Promise<number>
}

/** What a command has to say. */
export interface Result {
  /** For `--json`. */
  readonly json: unknown
  /** For people. */
  readonly lines: readonly string[]
  /** 0 by default. 1: it worked, and what it found is bad. */
  readonly exitCode?: number | undefined
}

/** A mistake in how the command was called, or what keeps it from working: said without a stack. */
export class CliError extends Error {
  override readonly name = 'CliError'

  constructor(
    readonly code: string,
    message: string,
    options?: { cause?: unknown },
  ) {
    const cause = causeText(options?.cause)
    super(cause === undefined ? message : `${message} Cause: ${cause}`, options)
  }
}

// A token is an id, a dot and 65 characters. No command has a reason to print one.
const token = /\.[\w-]{65}(?![\w-])/g

/** Replaces every secret that a command was given, and whatever looks like a token, in what is printed. */
export class Scrubber {
  readonly #secrets = new Set<string>()

  /** Short ones would hide ordinary words: whoever uses "a" as a password has no secret. */
  add(secret: string | undefined): void {
    if (secret !== undefined && secret.length >= 3) this.#secrets.add(secret)
  }

  clean(text: string): string {
    let cleaned = text.replaceAll(token, '.***')
    for (const secret of this.#secrets) cleaned = cleaned.replaceAll(secret, '***')
    return cleaned
  }

  /** The same for each text in a value. */
  cleanAll(value: unknown): unknown {
    return JSON.parse(JSON.stringify(value ?? null), (_, one: unknown) =>
      typeof one === 'string' ? this.clean(one) : one,
    )
  }
}
