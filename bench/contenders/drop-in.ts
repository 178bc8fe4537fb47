// What the contenders of the drop-in share: the settings and routes of express-session's.
import type { Express } from 'express'
import { MemoryStore } from 'express-session'
import { load } from '../lib/built.js'
import { mountRoutes, settings } from './express-session.js'

type Change = Parameters<typeof mountRoutes>[2]

/** On `memoryStore()`, as `sid-memory` is. */
export async function mountDropIn(app: Express, build: string, change?: Change): Promise<void> {
  const { session } = await load(build, 'express-session/index')
  const { memoryStore } = await load(build, 'index')
  mountRoutes(app, session({ ...settings(), store: memoryStore() }), change)
}

/** On the store that express-session brings along: nothing but the middleware differs. */
export async function mountOnItsStore(app: Express, build: string, change?: Change): Promise<void> {
  const { session } = await load(build, 'express-session/index')
  mountRoutes(app, session(settings(new MemoryStore())), change)
}
