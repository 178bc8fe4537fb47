import type { Mount } from '../lib/server.js'
import { mountSid } from './sid.js'

export const mount: Mount = async (app, { build }) => {
  await mountSid(app, build)
}
