import { load } from '../lib/built.js'
import type { Mount } from '../lib/server.js'
import { mount as mountBare } from './bare.js'

/** Bare Express with the step that our middleware takes up to Node 22. See src/http/request/dictionary-mode.ts. */
export const mount: Mount = async (app, { build }) => {
  const { useDictionaryMode } = await load(build, 'http/request/dictionary-mode')
  app.use((req, res, next) => {
    useDictionaryMode(req, res)
    next()
  })
  return mountBare(app, { build, tag: '' })
}
