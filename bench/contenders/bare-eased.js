import { mount as mountBare } from './bare.js'

/**
 * Bare Express whose requests are as cheap for V8 as our middleware leaves them, so that the middleware's own cost
 * shows beside this one. See src/http/request/dictionary-mode.ts.
 */
export async function mount(app, { build }) {
  const { useDictionaryMode } = await import(`${build}http/request/dictionary-mode.js`)
  app.use((req, res, next) => {
    useDictionaryMode(req, res)
    next()
  })
  mountBare(app)
}
