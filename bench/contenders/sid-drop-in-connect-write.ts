import type { Mount } from '../lib/server.js'
import { mountOnItsStore } from './drop-in.js'
import { countView } from './express-session.js'

export const mount: Mount = (app, { build }) => mountOnItsStore(app, build, countView)
