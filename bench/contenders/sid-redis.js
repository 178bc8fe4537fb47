import { connectRedis, forgetRedis } from '../lib/servers.js'
import { mountSid } from './sid.js'

export async function mount(app, { build, tag }) {
  const { redisStore } = await import(`${build}stores/redis/index.js`)
  const client = await connectRedis()
  const prefix = `${tag}:`
  await mountSid(app, build, redisStore(client, { prefix }))
  return { close: () => forgetRedis(client, prefix) }
}
