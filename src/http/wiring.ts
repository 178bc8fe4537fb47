import { Engine } from '../core/engine.js'
import { SessionManager, type Sessions } from '../core/sessions.js'
import type { HttpSettings } from './options.js'

/** What stands behind a manager: for this package alone, and not for applications. */
export interface Wiring {
  readonly sessions: Sessions
  readonly engine: Engine
  readonly settings: HttpSettings
}

// A registered symbol, so that the ESM and CommonJS copies of this package recognise each other's managers.
const wiring = Symbol.for('express-sid.wiring')

/** Makes a manager with its engine behind it. */
export function wire(settings: HttpSettings): Sessions {
  const engine = new Engine(settings)
  const sessions = new SessionManager(engine)
  Object.defineProperty(sessions, wiring, { value: { sessions, engine, settings } satisfies Wiring })
  return sessions
}

/** The wiring of a manager, of this or another copy of the package; `undefined` for anything else. */
export function wiringOf(sessions: unknown): Wiring | undefined {
  if (typeof sessions !== 'object' || sessions === null) return undefined
  return (sessions as { [wiring]?: Wiring })[wiring]
}
