module agentapi-proxy/clients/go

go 1.24
