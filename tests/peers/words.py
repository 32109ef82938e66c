"""The texts of the pages in both languages. Terms of the guide are used where it has one."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Words:
    code: str

    # Places
    images: str
    registries: str
    journal: str
    accounts: str
    namespaces: str
    all_projects: str
    find_namespace: str
    search: str

    # Fields and columns
    name: str
    display_name: str
    namespace: str
    description: str
    domain: str
    username: str
    password: str
    provider: str
    status: str
    select: str
    actions: str

    # Actions
    add: str
    test: str
    edit: str
    change_password: str
    correct: str
    delete: str
    details: str
    delete_selected: str
    ok: str
    save: str
    cancel: str
    close: str
    confirm_deletion: str
    log_in: str
    log_out: str

    # Results
    untested: str
    success: str
    failed: str
    bad_credentials: str
    just_now: str
    locked_settings: str
    delete_warning: str
    delete_many_warning: str
    finished: str
    discard: str
    discard_no: str
    discard_yes: str
    session_ended: str


ZH = Words(
    code="zh",
    images="镜像管理",
    registries="镜像源管理",
    journal="操作记录",
    accounts="账号",
    namespaces="命名空间",
    all_projects="全部项目",
    find_namespace="查找命名空间",
    search="搜索名称、显示名称、域名",
    name="名称",
    display_name="显示名称",
    namespace="命名空间",
    description="描述",
    domain="域名",
    username="用户名",
    password="密码",
    provider="提供者",
    status="状态",
    select="选择",
    actions="操作",
    add="添加镜像源",
    test="测试连接",
    edit="编辑信息",
    change_password="更换密码",
    correct="修正并重建",
    delete="删除",
    details="详情",
    delete_selected="删除选中",
    ok="确定",
    save="保存",
    cancel="取消",
    close="关闭",
    confirm_deletion="确定删除",
    log_in="登录",
    log_out="退出登录",
    untested="未测试",
    success="连接成功",
    failed="连接失败",
    bad_credentials="用户名或密码错误",
    just_now="刚刚",
    locked_settings="不能修改域名、用户名、密码等核心配置。如需修改，请删除后重新创建。",
    delete_warning="删除镜像源后，使用该凭证的镜像将无法正常拉取。",
    delete_many_warning="删除镜像源后，使用该凭证的镜像将无法正常拉取。",
    finished="删除完成",
    discard="放弃已填写的内容？",
    discard_no="继续填写",
    discard_yes="放弃",
    session_ended="会话已结束",
)

EN = Words(
    code="en",
    images="Images",
    registries="Registries",
    journal="Audit log",
    accounts="Accounts",
    namespaces="Namespaces",
    all_projects="All namespaces",
    find_namespace="Find a namespace",
    search="Search name, display name, address",
    name="Name",
    display_name="Display name",
    namespace="Namespace",
    description="Description",
    domain="Address",
    username="User name",
    password="Password",
    provider="Provider",
    status="Status",
    select="Select",
    actions="Actions",
    add="Add registry",
    test="Test connection",
    edit="Edit information",
    change_password="Change the password",
    correct="Correct and create again",
    delete="Delete",
    details="Details",
    delete_selected="Delete selected",
    ok="Save registry",
    save="Save",
    cancel="Cancel",
    close="Close",
    confirm_deletion="Confirm deletion",
    log_in="Log in",
    log_out="Log out",
    untested="Not tested",
    success="Connected",
    failed="Failed",
    bad_credentials="Wrong user name or password",
    just_now="just now",
    locked_settings="Address, user name, password and other core settings cannot be changed. To change them, "
    "delete the registry and add it again.",
    delete_warning="Images that use this credential can no longer be pulled once it is deleted.",
    delete_many_warning="Images that use these credentials can no longer be pulled once they are deleted.",
    finished="Deletion finished",
    discard="Discard your input?",
    discard_no="Keep editing",
    discard_yes="Discard",
    session_ended="Your session has ended",
)

BOTH = {"zh": ZH, "en": EN}
