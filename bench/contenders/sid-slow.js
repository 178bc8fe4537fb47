import { mountSid } from './sid.js'

/** A store whose every lookup takes `delay` milliseconds; without one it never answers. Writes are as ever. */
export async function mount(app, { build, delay }) {
  const { memoryStore } = await import(`${build}stores/memory/index.js`)
  const store = memoryStore()
  const slowly = (answer) =>
    new Promise((resolve) => {
      if (delay !== null) setTimeout(resolve, delay, answer)
    })
  await mountSid(app, build, {
    insert: (record) => store.insert(record),
    get: (id) => slowly(store.get(id)),
    update: (record, ifVersion) => store.update(record, ifVersion),
    delete: (id) => store.delete(id),
    listByUser: (userId) => store.listByUser(userId),
  })
  // Express' own would print each refusal.
  app.use((error, req, res, _next) => res.sendStatus(error.status))
}
