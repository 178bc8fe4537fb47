import type { ServerResponse } from 'node:http'
import { isSessionError, type SessionError } from '../errors.js'
import { copyJson, type JsonObject } from '../lib/json/json.js'
import type { SessionRecord } from '../record.js'
import { canRespond } from '../http/request/can-respond.js'
import { headersSent } from '../http/request/errors.js'
import { Cookie } from './classes/cookie.js'
import { called } from './classes/done.js'
import { Session } from './classes/session.js'
import type { SessionObject, SessionRequest, StoredData, Visitor } from './classes/types.js'
import { readSession, type ReceivedCookie } from './cookie/read.js'
import { clearCookie, cookieOptionsOf, sendCookie, valueOf } from './cookie/send.js'
import type { Secret } from './cookie/signature.js'
import type { Visiting } from './keeping/keeping.js'
import { inflated } from './classes/store.js'
import { baseOf, originFor, originOf, setOrigin } from './origin.js'
import { merge } from './merge.js'
import { Pending } from './pending.js'
import type { Gate, Work } from './response/guard.js'
import type { Setup } from './setup.js'
import { dataOf, shownOf, textOf, textOfData } from './snapshot.js'
import { isSameUser } from './user.js'
import { Versions } from './versions.js'

type Next = (error?: unknown) => void

/** One request, and what happens to its session: it is found or made, and saved before the response may be seen. */
export class Visit implements Visitor, Visiting, Gate {
  readonly #versions: Versions
  readonly #pending = new Pending()
  #received: ReceivedCookie | undefined
  #isTouched = false
  #isTouchAsked = false
  #isTouching = false
  #hasDropped = false
  #isSent = false
  /** The token that the response carries already: the cookie must not go back to what the request came with. */
  #token: string | undefined

  constructor(
    private readonly setup: Setup,
    readonly req: SessionRequest,
    readonly res: ServerResponse,
    private readonly secrets: readonly Secret[],
    private readonly next: Next,
  ) {
    this.#versions = new Versions(setup)
  }

  get sendsAnyway(): boolean {
    return this.setup.legacyErrors
  }

  /** Finds the session of the request, or makes one. Calls `next` when it is there. */
  begin(): void {
    const { req, setup, next } = this
    this.#received = readSession(req, setup.name, this.secrets)
    const sid = this.#received?.sid
    this.#versions.cookieId = sid
    req.sessionID = sid
    if (sid === undefined) {
      this.#generate()
      return next()
    }
    setup.keeping.find(sid, this, (error, found) => {
      if (error && (error as { code?: unknown }).code !== 'ENOENT') return next(error)
      try {
        if (error || !found) this.#generate()
        else this.#inflate(sid, found)
      } catch (failure) {
        return next(failure)
      }
      next()
    })
  }

  #generate(): void {
    const { req } = this
    this.setup.keeping.store.generate(req)
    this.#versions.begins(req.sessionID, textOf(req.session!))
  }

  #inflate(sid: string, found: StoredData): void {
    const { req } = this
    const text = originOf(found)?.text ?? textOf(found)
    inflated(this.setup.keeping.store, req, found)
    setOrigin(req.session!, originOf(found) ?? originFor(sid, text))
    this.#versions.begins(sid, text)
    if (!this.setup.resave) this.#versions.saved(sid, text)
  }

  // What `req.session` asks for.

  touched(): void {
    if (!this.#isTouching) this.#isTouchAsked = true
  }

  save(session: SessionObject): Promise<void> {
    const versions = this.#versions
    versions.savedText = textOf(session)
    const work = this.#keep(session).then(() => void (versions.savedId = session.id))
    // What could not be saved is tried again, so that a route that goes on does not hide it.
    return this.#pending.add(work, () => (versions.savedText = undefined))
  }

  async reload(sid: string): Promise<void> {
    const { req, setup } = this
    const found = await new Promise<StoredData | null | undefined>((resolve, reject) => {
      setup.keeping.find(sid, this, (error, one) => (error ? reject(error) : resolve(one)))
    })
    if (!found) throw new Error('failed to load session')
    const origin = originOf(found) ?? originFor(sid, textOf(found))
    inflated(setup.keeping.store, req, found)
    setOrigin(req.session!, origin)
  }

  destroy(sid: string): Promise<void> {
    this.dropped()
    return this.track(this.setup.keeping.destroy(sid, this))
  }

  track(work: Promise<void>): Promise<void> {
    return this.#pending.add(work)
  }

  // What `sessionOf(req)` has done to the same session.

  adopt(sid: string, found: StoredData, isSent: boolean, isSuccessor: boolean): void {
    const { req } = this
    const before = req.session
    const origin = before && originOf(before)
    // The successor of a session has its data: what the request has done to it until now is done to that as well.
    const merged = isSuccessor && origin && merge(baseOf(origin), dataOf(before), shownOf(dataOf(found)))
    const changed = before && textOf(before) !== this.#versions.originalText ? before : undefined
    req.sessionID = sid
    this.#inflate(sid, found)
    this.#hasDropped = false
    if (isSent) this.#versions.cookieId = sid
    if (merged) showValues(merged, req.session!)
    else if (changed !== undefined) copyNew(changed, req.session!)
  }

  rebase(record: SessionRecord): void {
    const { session } = this.req
    const origin = session && originOf(session)
    if (!session || !origin) return
    const data = shownOf(record.data)
    const merged = merge(baseOf(origin), dataOf(session), data)
    const versions = this.#versions
    const isChanged = textOf(session) !== versions.originalText
    showValues(merged, session)
    const text = textOfData(data)
    Object.assign(origin, { text, data, record })
    // A browser that has no cookie yet is to get one for what it was before.
    if (versions.cookieId === session.id) versions.originalText = text
    versions.savedText = isChanged ? undefined : text
  }

  dropped(): void {
    this.#hasDropped = true
  }

  sent(token: string): void {
    this.#token = token
  }

  // What the response waits for.

  first(): Work | undefined {
    const { settled } = this.#pending
    if (settled !== undefined) return settled.then(() => this.#goOn())
    const { work, ready } = this.#plan()
    if (work !== undefined) return work.then(() => ready)
    ready()
    return undefined
  }

  last(): Work | undefined {
    const { settled } = this.#pending
    return settled === undefined ? this.#commitAgain() : settled.then(() => this.#commitAgain())
  }

  report(error: unknown): void {
    if (this.res.headersSent) this.#reportLater(error)
    else this.next(error)
  }

  /** When the response is through: Express would cut it off. */
  #reportLater(error: unknown): void {
    const { res, next } = this
    if (res.writableFinished || res.destroyed) setImmediate(next, error)
    else res.once('close', () => next(error))
  }

  async #goOn(): Promise<() => void> {
    const { work, ready } = this.#plan()
    await work
    return ready
  }

  /** What is to be done before the first byte: work that is waited for, and then the cookie. */
  #plan(): { readonly work?: Promise<void> | undefined; readonly ready: () => void } {
    const { req, setup } = this
    this.#pending.assertDone()
    const { session, sessionID } = req
    if (session === undefined || session === null)
      return { work: this.#unset(sessionID), ready: () => this.#clear() }
    // Nothing can be kept under an id that is none.
    if (typeof sessionID !== 'string') return { ready: nothing }
    this.#touchOnce(session)
    const text = textOf(session)
    if (this.#versions.isSaveDue(session, text))
      return { work: this.#save(session), ready: () => this.#giveCookie() }
    return {
      ready: () => {
        this.#giveCookie()
        if (this.#versions.cookieId === sessionID && setup.keeping.touches) this.#touch(session)
      },
    }
  }

  /** By its name, which an application may have given to a function of its own. */
  #save(session: SessionObject): Promise<void> {
    return called((done) => session.save(done)).catch((error: unknown) => this.#pass(session, error))
  }

  /** A session that was not changed, and that has ended meanwhile: the request goes on as a stranger's. */
  #pass(session: SessionObject, error: unknown): void {
    const hasEnded = isSessionError(error) && error.code === 'SESSION_ENDED'
    if (!hasEnded || this.#versions.isModified(session, textOf(session))) throw error
  }

  #commitAgain(): Promise<void> | undefined {
    const { session, sessionID } = this.req
    this.#pending.assertDone()
    if (!session || typeof sessionID !== 'string') return undefined
    const { savedText, originalText, cookieId } = this.#versions
    const isAsSaved = textOf(session) === (savedText ?? originalText)
    // A browser that has no cookie for it, and can get none any more, would never find it.
    if (isAsSaved || (sessionID !== cookieId && !this.#isSent)) return undefined
    return this.#save(session)
  }

  /** `req.session` was set to null. */
  #unset(sid: unknown): Promise<void> | undefined {
    const { keeping, unsetDestroys } = this.setup
    if (this.#hasDropped || !unsetDestroys || typeof sid !== 'string') return undefined
    this.dropped()
    return keeping.destroy(sid, this)
  }

  async #keep(session: SessionObject): Promise<void> {
    const { setup } = this
    const { keeping } = setup
    const barrier: SessionError | undefined = keeping.barrier(this)
    if (barrier !== undefined) throw barrier
    const origin = originOf(session)
    if (!origin?.isStored || isSameUser(setup, baseOf(origin), session))
      return keeping.save(session, origin, this)
    if (!canRespond(this.res) || this.#isSent) throw headersSent()
    const sid = setup.genid(this.req)
    await keeping.replace(session, origin, sid, this)
    Session.rename(session, sid)
    if (this.req.session === session) this.req.sessionID = sid
  }

  #touchOnce(session: SessionObject): void {
    if (this.#isTouched) return
    this.#isTouched = true
    this.#isTouching = true
    session.touch()
    this.#isTouching = false
  }

  #touch(session: SessionObject): void {
    this.setup.keeping.touch(session, this.#isTouchAsked)?.catch((error: unknown) => this.#reportLater(error))
  }

  #giveCookie(): void {
    const { setup } = this
    const { session } = this.req
    const versions = this.#versions
    if (!session || !versions.isCookieDue(session)) return
    try {
      const id = (session.id === versions.originalId ? this.#token : undefined) ?? session.id
      const value = valueOf(id, this.secrets[0]!, this.#received)
      this.#isSent = sendCookie(this, setup, value, session.cookie)
    } catch (error) {
      this.#reportLater(error)
    }
  }

  #clear(): void {
    if (!this.#hasDropped || this.#versions.cookieId === undefined || !canRespond(this.res)) return
    clearCookie(this.res, this.setup.name, new Cookie(cookieOptionsOf(this.setup, this.req)))
  }
}

/** Gives a session these values in place of its own. */
function showValues(values: JsonObject, session: SessionObject): void {
  for (const name of Object.keys(session)) if (name !== 'cookie') delete (session as StoredData)[name]
  Object.assign(session, copyJson(values), { cookie: session.cookie })
}

/** Keeps what the request has put into a session that another one now takes the place of. */
function copyNew(from: SessionObject, to: SessionObject): void {
  for (const name of Object.keys(from)) if (!(name in to)) (to as Record<string, unknown>)[name] = from[name]
}

const nothing = (): void => undefined
