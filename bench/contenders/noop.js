import { mount as mountBare } from './bare.js'

export function mount(app) {
  app.use((req, res, next) => next())
  mountBare(app)
}
