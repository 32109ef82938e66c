"""The sentences about an image, in Chinese and English, as data."""

from .reason import ImageReason
from .text import Text

MESSAGES: dict[ImageReason, Text] = {
    ImageReason.PULLABLE: Text("可以拉取", "Can be pulled"),
    ImageReason.TAG_MISSING: Text("仓库中没有这个标签", "The repository has no such tag"),
    ImageReason.DENIED: Text(
        "该账号无权拉取，或仓库不存在", "This account cannot pull the image, or the repository does not exist"
    ),
    ImageReason.REPOSITORY_UNKNOWN: Text("仓库不存在", "The repository does not exist"),
    ImageReason.PLATFORM_MISSING: Text(
        "镜像不支持部分节点的架构", "The image lacks the platform of some nodes"
    ),
    ImageReason.RATE_LIMITED: Text(
        "拉取次数已用完，或请求过于频繁", "No pulls are left, or there were too many requests"
    ),
    ImageReason.UNREADABLE: Text("镜像清单无法识别", "The manifest cannot be read"),
    ImageReason.STORAGE_UNREACHABLE: Text(
        "清单可读取，但存放镜像数据的服务器无法访问（{cause}）",
        "The manifest is readable, but the server with the data is not reachable ({cause})",
    ),
    ImageReason.FAILED: Text("未能检查镜像（{cause}）", "The image could not be checked ({cause})"),
}

HINTS: dict[ImageReason, Text] = {
    ImageReason.TAG_MISSING: Text(
        "检查标签拼写，或先推送该标签", "Check the spelling of the tag, or push it first"
    ),
    ImageReason.DENIED: Text(
        "登录成功不代表有仓库权限：为该账号授予拉取权限，并检查项目和仓库名",
        "Logging in does not give access to every repository: grant this account the right to pull, and check the "
        "names of the project and the repository",
    ),
    ImageReason.REPOSITORY_UNKNOWN: Text("检查项目和仓库名", "Check the names of project and repository"),
    ImageReason.PLATFORM_MISSING: Text(
        "为缺少的架构构建镜像并推送。其他架构的节点也能拉取单架构镜像，但容器启动时报 exec format error",
        "Build and push the image for the missing platforms. A node of another platform can pull a single-platform "
        "image, but its containers fail with “exec format error”",
    ),
    ImageReason.RATE_LIMITED: Text(
        "等待配额恢复，或使用更高配额的账号", "Wait, or use an account with more pulls"
    ),
    ImageReason.UNREADABLE: Text(
        "可能是旧的 schema 1 清单、过大或损坏；重新构建并推送",
        "It may be an old schema 1 manifest, too large, or damaged; build and push the image again",
    ),
    ImageReason.STORAGE_UNREACHABLE: Text(
        "仓库把下载跳转到对象存储：允许控制台和节点访问该存储",
        "The registry redirects downloads to an object store: allow this console and the nodes to reach it",
    ),
    ImageReason.FAILED: Text("稍后重试", "Try again later"),
}

NOTES: dict[str, Text] = {
    "pulls_counted": Text(
        "未读取架构和大小：该仓库会将其计为一次拉取",
        "Platforms and sizes were not read: this registry would count that as a pull",
    ),
    "storage_not_followed": Text(
        "未读取架构：仓库把配置跳转到了不允许访问的地址",
        "The platform was not read: the registry redirects the config to an address that is not allowed",
    ),
    "platforms_unread": Text("未能读取架构", "The platform could not be read"),
    "sizes_unread": Text("未能读取全部大小", "Not all sizes could be read"),
}
