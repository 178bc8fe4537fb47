import { RedisStore } from 'connect-redis'
import { connectRedis, forgetRedis } from '../lib/servers.js'
import { mountExpressSession } from './express-session.js'

export async function mount(app, { tag }) {
  const client = await connectRedis()
  const prefix = `${tag}:`
  mountExpressSession(app, new RedisStore({ client, prefix }))
  return { close: () => forgetRedis(client, prefix) }
}
