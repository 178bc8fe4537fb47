import { mountSid } from './sid.js'

export async function mount(app, { build }) {
  await mountSid(app, build)
}
