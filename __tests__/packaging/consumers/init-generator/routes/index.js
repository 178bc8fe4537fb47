var express = require('express')
var router = express.Router()

router.get('/', function (req, res) {
  res.send('Hello ' + (req.user ? req.user.name : 'Stranger'))
})

module.exports = router
