-- How accounts stand. ARGV: how many final states are counted, those, then account, gate, account, gate...
-- Returns JSON, which a client reads faster than as many answers: {now, [account]...}, and of each account its gate's
-- fields, its pause's, how many wait, when the first is due, how many are held, and how many came to each state.
local states, accounts = {}, {}
local first = 2 + tonumber(ARGV[1])
for place = 2, first - 1 do states[#states + 1] = ARGV[place] end
for place = first, #ARGV, 2 do
  local account, gate = ARGV[place], ARGV[place + 1]
  local seen = fields(gate_key(gate), 'closed_until', 'closed_why', 'said_count', 'said_period', 'taught_count', 'taught_period')
  local pause = fields(pause_key(account), 'reason', 'probe_at')
  local due = redis.call('ZRANGE', line_key(account), 0, 0, 'WITHSCORES')
  local told = {seen, pause, redis.call('ZCARD', line_key(account)), due[2] or false, redis.call('ZCARD', inflight_key(account))}
  for _, state in ipairs(states) do told[#told + 1] = redis.call('ZCARD', state_key(account, state)) end
  accounts[#accounts + 1] = told
end
return cjson.encode({int(now_ms()), accounts})
