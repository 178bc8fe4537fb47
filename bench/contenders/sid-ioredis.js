import { Redis } from 'ioredis'
import { connectRedis, forgetRedis, REDIS_URL } from '../lib/servers.js'
import { mountSid } from './sid.js'

export async function mount(app, { build, tag }) {
  const { redisStore } = await import(`${build}stores/redis/index.js`)
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
