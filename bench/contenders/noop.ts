import type { Mount } from '../lib/server.js'
import { mount as mountBare } from './bare.js'

export const mount: Mount = (app, setup) => {
  app.use((req, res, next) => next())
  return mountBare(app, setup)
}
