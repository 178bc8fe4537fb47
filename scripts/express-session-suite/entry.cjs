// What the tests of express-session take for express-session. They expect the defaults of its version 1, and a touch at
// each request.
const session = require(process.env.SID_SUITE_PACKAGE)
const stores = require(process.env.SID_SUITE_STORES)
const legacyErrors = process.env.SID_SUITE_LEGACY === '1'
const isOurs = process.env.SID_SUITE_STORE === 'memoryStore'

module.exports = function (options) {
  const store = options.store || new module.exports.MemoryStore()
  return session({ resave: true, saveUninitialized: true, touchInterval: 0, legacyErrors, ...options, store })
}
Object.assign(module.exports, session)
if (isOurs) module.exports.MemoryStore = require('./on-memory-store.cjs')(session, stores)
