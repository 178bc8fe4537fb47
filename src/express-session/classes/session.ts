import type { Cookie } from './cookie.js'
import { originOf, saverOf } from '../origin.js'
import { called, settle, type Done } from './done.js'
import { visitorOf, type SessionObject, type SessionRequest, type StoredData } from './types.js'

/** The session of a request, as `req.session` holds it: the application's values, and the cookie. */
export class Session {
  readonly #req: SessionRequest
  #id: string
  declare cookie: Cookie;
  [key: string]: unknown

  constructor(req: SessionRequest, data?: StoredData) {
    this.#req = req
    this.#id = req.sessionID as string
    if (typeof data !== 'object' || data === null) return
    // What has the name of a method would hide it.
    for (const name in data) if (!(name in this)) this[name] = data[name]
  }

  get req(): SessionRequest {
    return this.#req
  }

  /** The secret id: what the cookie carries. */
  get id(): string {
    return this.#id
  }

  /** Moves the deadline of the session and of its cookie. */
  touch(): this {
    visitorOf(this.#req)?.touched()
    return this.resetMaxAge()
  }

  resetMaxAge(): this {
    this.cookie.maxAge = this.cookie.originalMaxAge
    return this
  }

  save(): Promise<void>
  save(done: Done): this
  save(done?: Done): this | Promise<void> {
    return settle(this, 'save', () => saved(this as unknown as SessionObject), done)
  }

  /** Reads the session again, as it is in the store: `req.session` is another object afterwards. */
  reload(): Promise<void>
  reload(done: Done): this
  reload(done?: Done): this | Promise<void> {
    return settle(this, 'reload', () => reloaded(this), done)
  }

  /** Ends the session, and clears its cookie. */
  destroy(): Promise<void>
  destroy(done: Done): this
  destroy(done?: Done): this | Promise<void> {
    // At once: the route may look at `req.session` in the next line.
    delete this.#req.session
    return settle(this, 'destroy', () => destroyed(this), done)
  }

  /** Ends the session, and starts an empty one in its place. */
  regenerate(): Promise<void>
  regenerate(done: Done): this
  regenerate(done?: Done): this | Promise<void> {
    return settle(this, 'regenerate', () => regenerated(this), done)
  }

  /** The same session under another id: what a login makes of it. For this package alone. */
  static rename(session: object, id: string): void {
    ;(session as Session).#id = id
  }
}

function saved(session: SessionObject): Promise<void> {
  const { req, id } = session as unknown as Session
  const visitor = visitorOf(req)
  if (visitor !== undefined) return visitor.save(session)
  // A session that `store.load()` has made belongs to no request.
  const store = req.sessionStore!
  const save = originOf(session) && saverOf(store)
  return save ? save(session) : called((done) => store.set(id, session, done))
}

function reloaded({ req, id }: Session): Promise<void> {
  const visitor = visitorOf(req)
  if (visitor !== undefined) return visitor.reload(id)
  return called((done) => {
    const store = req.sessionStore!
    store.get(id, (error, found) => {
      if (error) return done(error)
      if (!found) return done(new Error('failed to load session'))
      store.createSession(req, found)
      done()
    })
  })
}

function destroyed({ req, id }: Session): Promise<void> {
  return visitorOf(req)?.destroy(id) ?? called((done) => req.sessionStore!.destroy(id, done))
}

function regenerated({ req }: Session): Promise<void> {
  const work = called((done) => req.sessionStore!.regenerate(req, done))
  return visitorOf(req)?.track(work) ?? work
}
