import { Redis } from 'ioredis'
import { load } from '../lib/built.js'
import type { Mount } from '../lib/server.js'
import { connectRedis, forgetRedis, REDIS_URL } from '../lib/servers.js'
import { mountSid } from './sid.js'

export const mount: Mount = async (app, { build, tag }) => {
  const { redisStore } = await load(build, 'stores/redis/index')
  const client = new Redis(REDIS_URL)
  const prefix = `${tag}:`
  await mountSid(app, build, redisStore(client, { prefix }))
  return {
    async close() {
      await forgetRedis(await connectRedis(), prefix)
      await client.quit()
    },
  }
}
