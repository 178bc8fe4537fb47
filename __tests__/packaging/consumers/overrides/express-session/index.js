module.exports = require('express-sid/express-session')
