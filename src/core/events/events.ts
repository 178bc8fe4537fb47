import { channel } from 'node:diagnostics_channel'
import { EventEmitter } from 'node:events'
import { isSessionError } from '../../errors.js'
import { debug, isDebugging } from '../../lib/debug.js'
import { eventOf, type Told } from './envelope.js'
import { checkListener } from './event-names.js'
import { tell } from './tell.js'
import type { EventName, Listener, SessionEvents } from './types.js'

// The compiler keeps it complete.
const names: Record<keyof SessionEvents, true> = {
  event: true,
  login: true,
  logout: true,
  revoke: true,
  expire: true,
  adopt: true,
  loginRefused: true,
  clientChange: true,
  credentialsChanged: true,
  actAs: true,
  stopActing: true,
  actAsRefused: true,
  rotate: true,
  rotationUnused: true,
  reuse: true,
  bind: true,
  stale: true,
  storeError: true,
  unawaited: true,
}

/** Both copies of this package, ESM and CommonJS, publish on one channel: Node finds it by its name. */
const published = channel('express-sid:event')

/** Sends events to listeners. A listener that throws is reported, and never harms the request. */
export class Events {
  // An app may well add a listener for each of its sockets: no warning of a leak.
  readonly #emitter = new EventEmitter().setMaxListeners(0)

  on<Name extends keyof SessionEvents>(name: Name, listener: Listener<Name>): void {
    checkListener(names, name, listener)
    this.#emitter.on(name, listener)
  }

  off<Name extends keyof SessionEvents>(name: Name, listener: Listener<Name>): void {
    checkListener(names, name, listener)
    this.#emitter.off(name, listener)
  }

  /** Whether anybody would be told of such an event. What only an event needs is not read without this. */
  hears(name: EventName): boolean {
    return (
      this.#emitter.listenerCount(name) > 0 ||
      this.#emitter.listenerCount('event') > 0 ||
      published.hasSubscribers
    )
  }

  /** Makes the event and sends it, where somebody listens. Nothing is told of a guest. Never throws. */
  emit<Name extends EventName>(name: Name, told: Told<Name>): void {
    const { record } = told
    const isGuest = record !== undefined && record.userId === undefined
    if (isGuest || !(isDebugging || this.hears(name))) return
    const event = eventOf(name, told)
    if (isDebugging) debug(`${name}: ${shown(event)}`)
    const listeners = [...this.#emitter.listeners(name), ...this.#emitter.listeners('event')]
    const what = `the session event "${name}"`
    for (const listener of listeners as Listener<Name>[]) tell(what, () => listener(event))
    if (published.hasSubscribers) tell(what, () => published.publish(event))
  }
}

/** What an event says, without addresses and what applications and drivers put into errors. */
function shown(event: object): string {
  const {
    type: _type,
    at: _at,
    client: _client,
    recorded: _recorded,
    seen: _seen,
    error,
    ...rest
  } = event as Record<string, unknown>
  return JSON.stringify(isSessionError(error) ? { ...rest, code: error.code } : rest)
}
