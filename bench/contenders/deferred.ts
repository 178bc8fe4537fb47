import type { Mount } from '../lib/server.js'
import { mount as mountBare } from './bare.js'

/**
 * Puts each request off to the end of the event loop's turn, as a middleware does that gathers lookups. The requests
 * of a turn then go on together, which is faster by itself. So the cost of sessions is the distance from here.
 */
export const mount: Mount = (app, setup) => {
  app.use((req, res, next) => {
    setImmediate(next)
  })
  return mountBare(app, setup)
}
