import type { Mount } from '../lib/server.js'
import { mountWritingSid } from './sid.js'

export const mount: Mount = (app, { build }) => mountWritingSid(app, build)
