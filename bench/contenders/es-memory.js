import { mountExpressSession } from './express-session.js'

export function mount(app) {
  mountExpressSession(app)
}
