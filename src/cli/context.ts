import { CliError, Scrubber, type Io } from './io.js'
import { openStore, type OpenedStore, type OpenOptions } from './stores/open.js'

/** What the commands share in one run. */
export class Context {
  readonly scrubber = new Scrubber()
  readonly #opened: OpenedStore[] = []

  constructor(
    readonly io: Io,
    readonly isJson: boolean,
  ) {}

  /**
   * A value that may be a secret: as it was given, from the environment, or a line of the standard input where `-` was
   * given.
   */
  async secret(given: string | undefined, variable: string): Promise<string | undefined> {
    const value = given === '-' ? (await this.io.readLine())?.trim() : (given ?? this.io.env[variable])
    return value === '' ? undefined : value
  }

  /** Opens the store at an address. It is closed when the run ends. */
  async store(
    given: string | undefined,
    option: string,
    variable: string,
    options?: OpenOptions,
  ): Promise<OpenedStore> {
    const address = await this.secret(given, variable)
    if (address === undefined) {
      throw new CliError(
        'NO_STORE',
        `Which store? Say --${option} sqlite:FILE, redis://, postgres:// or mysql://. An address with a password is ` +
          `safer in the environment (${variable}) or on the standard input (--${option} -): arguments show in ps.`,
      )
    }
    this.#hide(address)
    const opened = await openStore(address, this.io.cwd, options)
    this.#opened.push(opened)
    return opened
  }

  /** Asks before something that can't be undone. */
  async assertMeant(isMeant: boolean | undefined, question: string): Promise<void> {
    if (isMeant === true) return
    if (!this.io.isInteractive || this.isJson) {
      throw new CliError('NOT_CONFIRMED', `${question} If so, say --yes. Nothing was done.`)
    }
    if (!(await this.io.confirm(question))) throw new CliError('NOT_CONFIRMED', 'Nothing was done.')
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.#opened.map(async (one) => one.close()))
  }

  #hide(address: string): void {
    const password = /^[a-z+]+:\/\/[^@/]*?:([^@]+)@/i.exec(address)?.[1]
    this.scrubber.add(password)
    try {
      this.scrubber.add(password && decodeURIComponent(password))
    } catch {
      // Not encoded, so it is the password itself.
    }
  }
}
