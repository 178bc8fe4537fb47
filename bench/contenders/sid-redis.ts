import { load } from '../lib/built.js'
import type { Mount } from '../lib/server.js'
import { connectRedis, forgetRedis } from '../lib/servers.js'
import { mountSid } from './sid.js'

export const mount: Mount = async (app, { build, tag }) => {
  const { redisStore } = await load(build, 'stores/redis/index')
  const client = await connectRedis()
  const prefix = `${tag}:`
  await mountSid(app, build, redisStore(client, { prefix }))
  return { close: () => forgetRedis(client, prefix) }
}
