import type { ErrorRequestHandler } from 'express'
import { load } from '../lib/built.js'
import type { Mount } from '../lib/server.js'
import { mountSid } from './sid.js'

/** A store whose every lookup takes `delay` milliseconds. With `null` it never returns. Writes are as ever. */
export const mount: Mount = async (app, { build, delay = null }) => {
  const { memoryStore } = await load(build, 'index')
  const store = memoryStore()
  const slowly = <T>(value: T) =>
    new Promise<T>((resolve) => {
      if (delay !== null) setTimeout(resolve, delay, value)
    })
  await mountSid(app, build, {
    insert: (record) => store.insert(record),
    get: async (id) => slowly(await store.get(id)),
    update: (record, ifVersion) => store.update(record, ifVersion),
    delete: (id) => store.delete(id),
    listByUser: (userId) => store.listByUser(userId),
  })
  // Express' own handler would print each refusal.
  const sendStatus: ErrorRequestHandler = (error, req, res, _next) => res.sendStatus(error.status)
  app.use(sendStatus)
}
