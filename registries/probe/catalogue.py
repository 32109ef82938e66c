"""The sentences of the connection test for each reason, in Chinese and English, as data. What stands beside a verdict
is in remarks.py."""

from .reason import Reason
from .text import Text

MESSAGES: dict[Reason, Text] = {
    Reason.OK: Text("连接成功", "Connected"),
    Reason.OK_UNVERIFIED: Text(
        "连接成功，但该仓库未校验凭证，无法确认密码是否正确",
        "Connected, but the registry does not check credentials",
    ),
    Reason.INVALID_DOMAIN: Text("域名格式不正确", "Invalid registry address"),
    Reason.INVALID_CREDENTIALS_FORMAT: Text(
        "用户名或密码含不允许的字符或为空", "Empty or malformed user name or password"
    ),
    Reason.PLAIN_HTTP_FORBIDDEN: Text("策略禁止使用 HTTP 明文访问", "Plain HTTP is not allowed"),
    Reason.DNS_FAILED: Text("域名无法解析", "Host name not found"),
    Reason.BLOCKED_ADDRESS: Text("该地址被安全策略禁止访问", "Address refused by policy"),
    Reason.CONNECTION_REFUSED: Text("连接被拒绝，端口未监听", "Connection refused"),
    Reason.NETWORK_UNREACHABLE: Text("网络不可达", "Network unreachable"),
    Reason.TIMEOUT: Text("连接或响应超时", "Timed out"),
    Reason.CONNECTION_RESET: Text("服务器中断了连接", "Connection closed by the server"),
    Reason.PROXY_ERROR: Text("代理服务器返回错误", "Proxy error"),
    Reason.TLS_UNTRUSTED: Text("证书不受信任（自签名或未知 CA）", "Certificate not trusted"),
    Reason.TLS_EXPIRED: Text("证书不在有效期内", "Certificate outside its validity period"),
    Reason.TLS_HOSTNAME_MISMATCH: Text("证书与域名不匹配", "Certificate does not match the host name"),
    Reason.TLS_HANDSHAKE_FAILED: Text("TLS 握手失败", "TLS handshake failed"),
    Reason.PLAIN_HTTP_SERVER: Text("该端口是 HTTP 服务，不是 HTTPS", "The server speaks plain HTTP"),
    Reason.HTTPS_REQUIRED: Text("该端口要求 HTTPS", "The server requires HTTPS"),
    Reason.NOT_A_REGISTRY: Text("该地址不是镜像仓库", "Not a container registry"),
    Reason.REDIRECT_BLOCKED: Text("仓库跳转到其他地址，已停止以保护凭证", "Redirected elsewhere; stopped"),
    Reason.BAD_CHALLENGE: Text("仓库返回的认证信息不完整", "Invalid authentication challenge"),
    Reason.UNSUPPORTED_AUTH: Text("不支持的认证方式", "Unsupported authentication scheme"),
    Reason.UNEXPECTED_RESPONSE: Text("仓库返回意外响应", "Unexpected response"),
    Reason.REALM_INSECURE: Text(
        "令牌服务使用 HTTP，已拒绝发送密码", "Token service over HTTP; password not sent"
    ),
    Reason.REALM_BLOCKED: Text("令牌服务地址被安全策略禁止", "Token service address refused"),
    Reason.TOKEN_SERVICE_UNREACHABLE: Text(
        "无法访问令牌服务 {host}（{cause}）", "Token service {host} unreachable ({cause})"
    ),
    Reason.TOKEN_SERVICE_ERROR: Text("令牌服务异常", "The token service failed"),
    Reason.TOKEN_INVALID_RESPONSE: Text("令牌服务返回内容无效", "Invalid token response"),
    Reason.TOKEN_REJECTED: Text(
        "已取得令牌但仓库不认可，通常不是密码问题", "Token issued but refused by the registry"
    ),
    Reason.BAD_CREDENTIALS: Text("用户名或密码错误", "Wrong user name or password"),
    Reason.CREDENTIALS_EXPIRED: Text("凭证已过期", "Credentials expired"),
    Reason.PAT_REQUIRED: Text("需使用访问令牌代替密码", "An access token is required"),
    Reason.ACCESS_DENIED: Text("仓库拒绝该账号或来源 IP（403）", "Denied (403)"),
    Reason.RATE_LIMITED: Text("请求过于频繁，请 {n} 秒后再试", "Rate limited; retry in {n} s"),
    Reason.PROBE_IMAGE_DENIED: Text("账号无法拉取探测镜像", "The account may not pull the probe image"),
    Reason.SERVER_ERROR: Text("仓库服务异常（5xx）", "Registry server error"),
}

HINTS: dict[Reason, Text] = {
    Reason.OK: Text("凭证已通过验证", "The credentials were verified"),
    Reason.OK_UNVERIFIED: Text(
        "允许匿名访问；如需校验凭证，在仓库侧关闭匿名访问",
        "Anonymous access is allowed; turn it off in the registry to check credentials",
    ),
    Reason.INVALID_DOMAIN: Text(
        "只填主机名[:端口]，例如 harbor.example.com:8443",
        "Enter only host[:port], for example harbor.example.com:8443",
    ),
    Reason.INVALID_CREDENTIALS_FORMAT: Text(
        "用户名不能含冒号、换行", "A user name must not contain a colon or a line break"
    ),
    Reason.PLAIN_HTTP_FORBIDDEN: Text("改用 https 或联系管理员", "Use https or contact the administrator"),
    Reason.DNS_FAILED: Text(
        "检查拼写、集群 DNS、内网域名", "Check the spelling, the cluster's DNS and internal host names"
    ),
    Reason.BLOCKED_ADDRESS: Text(
        "回环、链路本地、云元数据地址不可用",
        "Loopback, link-local and cloud metadata addresses cannot be used",
    ),
    Reason.CONNECTION_REFUSED: Text(
        "检查端口与服务状态", "Check the port and whether the service is running"
    ),
    Reason.NETWORK_UNREACHABLE: Text("检查路由、防火墙、VPC", "Check routes, firewall and VPC"),
    Reason.TIMEOUT: Text(
        "防火墙丢包、代理、服务过载；阿里云企业版检查公网访问白名单",
        "Check for a firewall that drops packets, a proxy or an overloaded service; "
        "for Aliyun Enterprise check the public access whitelist",
    ),
    Reason.CONNECTION_RESET: Text(
        "中间设备拦截或端口协议不符",
        "A device in between may block the connection, or the port uses another protocol",
    ),
    Reason.PROXY_ERROR: Text("检查代理地址与认证", "Check the address and the credentials of the proxy"),
    Reason.TLS_UNTRUSTED: Text(
        "配置 CA；节点的 certs.d 也要配置",
        "Configure the CA here and in the certs.d folder of the nodes",
    ),
    Reason.TLS_EXPIRED: Text(
        "更新服务器证书，检查服务器与控制台的时钟",
        "Renew the certificate; check the clocks of the server and of the console",
    ),
    Reason.TLS_HOSTNAME_MISMATCH: Text("使用证书中的域名", "Use a host name from the certificate"),
    Reason.TLS_HANDSHAKE_FAILED: Text(
        "协议版本过低或要求客户端证书", "The protocol version is too old, or a client certificate is required"
    ),
    Reason.PLAIN_HTTP_SERVER: Text(
        "如确需明文，域名前加 http://", "To use unencrypted HTTP, put http:// before the host"
    ),
    Reason.HTTPS_REQUIRED: Text("去掉 http:// 或改为 https://", "Remove http:// or change it to https://"),
    Reason.NOT_A_REGISTRY: Text(
        "端口或域名错误、登录页拦截；Nexus 用仓库连接器端口；阿里云用「访问凭证」页的地址",
        "Check host and port, and whether a login page intercepts the request; "
        "Nexus: use the port of the repository connector; Aliyun: use the address from its page Access Credential",
    ),
    Reason.REDIRECT_BLOCKED: Text("直接填写跳转后的域名", "Enter the host of the redirect target"),
    Reason.BAD_CHALLENGE: Text(
        "反向代理是否去掉了 WWW-Authenticate；检查 realm",
        "Check whether a reverse proxy removes the WWW-Authenticate header, and whether the realm is correct",
    ),
    Reason.UNSUPPORTED_AUTH: Text("仅支持 Basic 与 Bearer", "Only Basic and Bearer are supported"),
    Reason.UNEXPECTED_RESPONSE: Text("查看详情中的状态码", "See the status code in the details"),
    Reason.REALM_INSECURE: Text(
        "Harbor：将 external_url 设为 https 并重新部署", "Harbor: set external_url to https and deploy again"
    ),
    Reason.REALM_BLOCKED: Text(
        "检查仓库 realm / external_url", "Check the realm or external_url of the registry"
    ),
    Reason.TOKEN_SERVICE_UNREACHABLE: Text(
        "realm 的端口或内网地址是否正确", "Check the port or internal address of the realm"
    ),
    Reason.TOKEN_SERVICE_ERROR: Text("联系仓库管理员", "Contact the administrator of the registry"),
    Reason.TOKEN_INVALID_RESPONSE: Text(
        "被网关或登录页拦截", "A gateway or a login page may intercept the request"
    ),
    Reason.TOKEN_REJECTED: Text(
        "检查时钟、签名密钥、service / issuer", "Check the clocks, the signing key, service and issuer"
    ),
    Reason.BAD_CREDENTIALS: Text(
        "Harbor OIDC 用 CLI 密钥；阿里云用固定密码；机器人账号含 robot$ 前缀",
        "Harbor with OIDC: use the CLI secret; Aliyun: use the fixed registry password; "
        "robot accounts: include the robot$ prefix",
    ),
    Reason.CREDENTIALS_EXPIRED: Text(
        "ECR 令牌 12 小时失效；重新生成", "ECR tokens last 12 hours; generate new ones"
    ),
    Reason.PAT_REQUIRED: Text(
        "账号启用了两步验证，请创建 PAT",
        "The account uses two-factor authentication; create a personal access token",
    ),
    Reason.ACCESS_DENIED: Text(
        "令牌失效或缺少权限、IP 白名单、账号停用",
        "Check whether the token is revoked or lacks permission, the IP whitelist, and whether the account is disabled",
    ),
    Reason.RATE_LIMITED: Text(
        "勿反复重试，失败过多会被锁定（Docker Hub 约 15 分钟）",
        "Do not retry repeatedly: too many failures lock the account (Docker Hub: about 15 minutes)",
    ),
    Reason.PROBE_IMAGE_DENIED: Text(
        "检查用户名、密码和拉取权限", "Check user name, password and the right to pull"
    ),
    Reason.SERVER_ERROR: Text("稍后重试或联系管理员", "Try again later or contact the administrator"),
}
