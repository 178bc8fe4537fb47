import type { SessionObject } from './classes/types.js'
import type { Setup } from './setup.js'
import { textOf } from './snapshot.js'

/** What a session was when its request began, what was saved of it, and which cookie its browser has. */
export class Versions {
  /** The id in the cookie that the browser sent, or that this response has given it. */
  cookieId: string | undefined
  /** What the session was when the request began: changes are told from it. */
  originalId: unknown
  originalText = ''
  /** What was saved last; `undefined` while nothing was. */
  savedText: string | undefined
  savedId: unknown

  constructor(private readonly setup: Pick<Setup, 'saveUninitialized' | 'rolling'>) {}

  begins(id: unknown, text: string): void {
    this.originalId = id
    this.originalText = text
  }

  saved(id: unknown, text: string): void {
    this.savedId = id
    this.savedText = text
  }

  isModified(session: SessionObject, text: string): boolean {
    return this.originalId !== session.id || this.originalText !== text
  }

  isSaveDue(session: SessionObject, text: string): boolean {
    const isNew = this.savedText === undefined && this.cookieId !== session.id
    if (!this.setup.saveUninitialized && isNew) return this.isModified(session, text)
    return this.savedId !== session.id || this.savedText !== text
  }

  /** Whether the response has to carry the cookie of the session. */
  isCookieDue(session: SessionObject): boolean {
    const { rolling, saveUninitialized } = this.setup
    const isKnown = this.cookieId === session.id
    // A cookie that lives as long as its browser has nothing that could change.
    if (isKnown && !rolling && session.cookie.expires == null) return false
    return (isKnown ? rolling : saveUninitialized) || this.isModified(session, textOf(session))
  }
}
