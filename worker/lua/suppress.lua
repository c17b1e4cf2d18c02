-- The address asked for no invitations meanwhile: ends what waits; what a worker holds ends when its turn comes again.
-- ARGV: id, digest of the address. Returns 1 where it was ended now.
local id, who = ARGV[1], ARGV[2]
local f = fields(record_key(id), 'state', 'gate', 'account', 'order', 'forgotten_at')
if f[5] or (f[1] ~= 'queued' and f[1] ~= 'delivering') then return 0 end
redis.call('HSET', record_key(id), 'who', who)
if f[1] == 'delivering' or not is_suppressed(f[3], who) then return 0 end
withdraw(id, f[3], f[2])
end_suppressed(id, now_ms(), f[3], f[4])
return 1
