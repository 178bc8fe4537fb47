// The MemoryStore that the tests of express-session ask for, on `memoryStore()` of this package. What the tests count,
// they count by the ids that they have seen.
module.exports = ({ toExpressSession }, { createSessions, memoryStore }) =>
  function MemoryStore() {
    const options = { rotateEvery: false, touchInterval: 0, onClientChange: { engine: 'report' } }
    const store = toExpressSession(createSessions({ store: memoryStore(), ...options }))
    const ids = new Set()
    const set = store.set
    store.set = function (sid, ...rest) {
      ids.add(sid)
      return set.call(this, sid, ...rest)
    }
    store.all = (done) => {
      const asked = [...ids].map(
        (sid) => new Promise((resolve) => store.get(sid, (_, found) => resolve([sid, found]))),
      )
      void Promise.all(asked).then((all) => done(null, Object.fromEntries(all.filter(([, found]) => found))))
    }
    store.length = (done) => store.all((error, all) => done(error, all && Object.keys(all).length))
    store.clear = (done) => {
      const asked = [...ids].map((sid) => new Promise((resolve) => store.destroy(sid, resolve)))
      ids.clear()
      void Promise.all(asked).then(() => done && done())
    }
    return store
  }
