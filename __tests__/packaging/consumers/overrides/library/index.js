// A library that brings its own session along, as a framework or an admin panel does.
const session = require('express-session')

class KeptInMap extends session.Store {
  constructor() {
    super()
    this.map = new Map()
  }
  get(sid, done) {
    done(null, this.map.get(sid))
  }
  set(sid, value, done) {
    this.map.set(sid, JSON.parse(JSON.stringify(value)))
    done()
  }
  destroy(sid, done) {
    this.map.delete(sid)
    done()
  }
}

module.exports = (app) =>
  app.use(
    session({ secret: 'keyboard cat', resave: false, saveUninitialized: false, store: new KeptInMap() }),
  )
