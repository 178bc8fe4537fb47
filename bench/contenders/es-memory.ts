import type { Mount } from '../lib/server.js'
import { mountExpressSession } from './express-session.js'

export const mount: Mount = (app) => mountExpressSession(app)
