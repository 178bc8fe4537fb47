import { RedisStore } from 'connect-redis'
import type { Mount } from '../lib/server.js'
import { connectRedis, forgetRedis } from '../lib/servers.js'
import { mountExpressSession } from './express-session.js'

export const mount: Mount = async (app, { tag }) => {
  const client = await connectRedis()
  const prefix = `${tag}:`
  mountExpressSession(app, new RedisStore({ client, prefix }))
  return { close: () => forgetRedis(client, prefix) }
}
