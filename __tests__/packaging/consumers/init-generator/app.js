// As express-generator lays an app out.
var express = require('express')
var path = require('path')

var indexRouter = require('./routes/index')

var app = express()

app.use(express.json())
app.use(express.urlencoded({ extended: false }))
app.use(express.static(path.join(__dirname, 'public')))

// The pages.
app.use('/', indexRouter)

module.exports = app
