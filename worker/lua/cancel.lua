-- Takes a waiting invitation out of the line. ARGV: id, reason. Returns {state, changed}.
local id, reason = ARGV[1], ARGV[2]
local f = fields(record_key(id), 'state', 'gate', 'account', 'order')
if not f[1] then return {'unknown', 0} end
if f[1] ~= 'queued' then return {f[1], 0} end
withdraw(id, f[3], f[2])
finish(id, now_ms(), f[3], f[4], 'cancelled', reason)
return {'cancelled', 1}
