import type { Mount } from '../lib/server.js'
import { mountDropIn } from './drop-in.js'
import { countView } from './express-session.js'

export const mount: Mount = (app, { build }) => mountDropIn(app, build, countView)
