import type { Mount } from '../lib/server.js'
import { mountDropIn } from './drop-in.js'

export const mount: Mount = (app, { build }) => mountDropIn(app, build)
