import session from 'express-session'
import type { Mount } from '../lib/server.js'
import { countView, mountRoutes, settings } from './express-session.js'

export const mount: Mount = (app) => mountRoutes(app, session(settings()), countView)
