'use strict'
// dsteem 0.11.3: everything a person does.

const dsteem = require('dsteem')
const flow = require('./dsteem_steps')
const { run, settings } = require('./steps')

run(() => {
  const client = new dsteem.Client(settings.url, { chainId: settings.chainId, addressPrefix: settings.prefix })
  return flow({ library: dsteem, client, confirm: async result => result })
})
