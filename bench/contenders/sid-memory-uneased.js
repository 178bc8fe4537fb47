import { mountSid } from './sid.js'

/** As on a V8 that needs no easing, to show what the easing is worth. See src/http/request/dictionary-mode.ts. */
export async function mount(app, { build }) {
  Object.defineProperty(process, 'versions', { value: { ...process.versions, v8: '13.0' } })
  await mountSid(app, build)
}
