import session from 'express-session'
import memorystore from 'memorystore'
import { mountExpressSession } from './express-session.js'

export function mount(app) {
  const MemoryStore = memorystore(session)
  mountExpressSession(app, new MemoryStore({ checkPeriod: 86_400_000 }))
}
