/** Whose line of the drawing it is in. */
export type Who = 'browser' | 'thief'

export interface Told {
  readonly at: number
  readonly who: Who
  readonly kind: string
  readonly text: string
}

export interface Sight {
  readonly at: number
  readonly who: Who
  readonly isIn: boolean
}

/** How much is drawn at most. */
const MAX = 400

/** What has happened since the login, in the server's time. */
export class Story {
  #events: Told[] = []
  #sights: Sight[] = []

  begin(): void {
    this.#events = []
    this.#sights = []
    this.tell('browser', 'login', 'logged in')
  }

  tell(who: Who, kind: string, text: string): void {
    this.#events = [...this.#events, { at: Date.now(), who, kind, text }].slice(-MAX)
  }

  /** Whether a request was let in. */
  see(who: Who, isIn: boolean): void {
    this.#sights = [...this.#sights, { at: Date.now(), who, isIn }].slice(-MAX)
  }

  told(): { readonly events: readonly Told[]; readonly sights: readonly Sight[] } {
    return { events: this.#events, sights: this.#sights }
  }
}
